"""What drives an engine over data: heatmaps, features and footprints from files or arrays."""
