"""What this machine needs: commands, privileges, packages, memory, disk, kernel limits."""
