"""The commands of the command line, one file each; `register` tells the parser about one."""
