"""What is followed, served to programs and pages: requests, streams, and what keeps strangers out."""
