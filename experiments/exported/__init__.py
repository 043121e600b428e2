"""What an exported folder holds besides data; the modules here are copied into it as they are."""
