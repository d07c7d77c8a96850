"""A seeded market with known positions: synthetic, and says so."""
