"""How a sender's frames reach its receivers: TCP, UDP, both, and without being asked."""
