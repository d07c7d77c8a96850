"""Settings: one declaration each, one TOML file, one frozen object."""
