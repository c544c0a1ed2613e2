"""C37.118 over the network: addresses, sockets, the sender, the receiver, the blocking client."""
