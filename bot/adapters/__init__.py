"""Who answers the ports."""
