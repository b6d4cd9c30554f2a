"""The deploy floor: build, release, switch, roll back."""
