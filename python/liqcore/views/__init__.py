"""What comes out: heatmaps and liquidation maps, of one venue or several, and their files."""
