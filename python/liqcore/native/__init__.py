"""The machine below: kernels of the processor, headers and library of the wheel, functions of the C interface."""
