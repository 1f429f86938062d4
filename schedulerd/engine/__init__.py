"""How one run happens: spawner, processes, the run on disk, journal, inspection of flow files."""
