"""Columns in memory and in files: trades, Arrow out, Parquet, saved histories, footprints."""
