"""`mlbot demo`: the whole life of a change, acted by people of a rehearsal and proved step by step."""
