"""Running the playbooks on the nodes."""
