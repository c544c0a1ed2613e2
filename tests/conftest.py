pytest_plugins = ["experiment.plugin", "experiment.fixtures"]
