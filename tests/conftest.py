pytest_plugins = ["experiment.fixtures"]
