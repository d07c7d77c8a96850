"""Is the map right: what it says against what was liquidated, beside what needs no map."""
