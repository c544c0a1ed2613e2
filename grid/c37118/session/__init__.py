"""Both halves of a C37.118 session, receiver and sender: bytes in, events and bytes out."""
