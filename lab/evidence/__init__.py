"""What a lab looked like, for somebody who was not there: gathered, freed of secrets, packed."""
