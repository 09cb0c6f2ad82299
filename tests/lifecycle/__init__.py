"""The pages of installing, upgrading, moving and leaving, played word for word on clusters that start empty."""
