"""The only room that imports kopf or kubernetes: what happened comes in here, what was decided goes out."""
