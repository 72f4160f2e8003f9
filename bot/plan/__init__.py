"""Event and two Git trees -> Plan."""
