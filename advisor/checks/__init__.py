"""The logic of the rules, one file each, in the folder of their group."""
