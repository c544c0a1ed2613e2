"""What a lab is asked to be: settings, inventory, timer profiles."""
