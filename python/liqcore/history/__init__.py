"""What a heatmap is made of: window histories, of one venue or of several, and parts of them."""
