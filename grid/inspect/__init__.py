"""Looking at streams, recorded or live: what is in them, and what is wrong with them."""
