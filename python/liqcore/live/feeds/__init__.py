"""What is known of venues: where to connect, what to ask for, how to read what they send; no clock and no socket."""
