"""The subcommands, one thin file each."""
