"""What a shell asks for at each Tab: answered without the libraries that the verbs need."""
