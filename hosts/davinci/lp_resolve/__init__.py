"""What the scripts in Resolve's menu are made of. Standard library only, Python 3.7 syntax."""
