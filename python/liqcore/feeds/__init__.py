"""What venues' messages say, and the files that keep them: read alike as they come and from a journal."""
