"""Refuse C++ functions of a cyclomatic complexity above twenty, but for those listed; part of `make lint`."""

import sys
from pathlib import Path

import lizard

LIMIT = 20

# Long by nature: one check or one case after the other, each plain; to cut them in pieces would hide their order.
LISTED = {
    "cpp/bindings/register_margin.cpp tiers",
    "cpp/src/engine.cpp Engine::Engine",
    "cpp/src/engine_state.cpp Engine::restore",
    "cpp/src/margin.cpp MarginSchedule::tiers",
    "cpp/src/margin.cpp hedge_liquidation_prices",
    "cpp/src/text/csv.cpp parse_side",
}


def main() -> None:
    found = {}
    for name in sorted(str(path) for path in Path("cpp").rglob("*.[chi]*") if path.is_file()):
        for function in lizard.analyze_file(name).function_list:
            short = function.name
            for space in ("liqcore::", "inlineabi1::", "bindings::", "text::", "columns::", "kernels::", "solving::"):
                short = short.removeprefix(space)
            if function.cyclomatic_complexity > LIMIT:
                found[f"{name} {short}"] = function.cyclomatic_complexity
    said = [f"{which} has a complexity of {found[which]}, above {LIMIT}" for which in found if which not in LISTED]
    said += [f"{which} is listed in {__file__}, and no longer needs to be" for which in sorted(LISTED - found.keys())]
    sys.exit("\n".join(said) if said else 0)


if __name__ == "__main__":
    main()
