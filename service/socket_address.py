"""Socket addresses as text."""


def host_port(address: object) -> str:
    """Return a socket address as HOST:PORT, an IPv6 host in brackets."""
    if isinstance(address, tuple) and len(address) >= 2:
        host, port = str(address[0]), address[1]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return str(address)
