"""Events from files into the log (`importing`), and from the log into files (`exporting`)."""
