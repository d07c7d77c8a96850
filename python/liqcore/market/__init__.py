"""What is traded, on what terms: the catalogue of venues, margin and leverage."""
