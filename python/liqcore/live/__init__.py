"""Markets as they happen: feeds of venues, what they tell, the journal that keeps it, engines that follow it."""
