"""
Adapters for programs of others, one module each: hftbacktest, nautilus, freqtrade and ccxt.

Importing this package imports none of them; docs/how-to/backtesters.md shows each at work.
"""
