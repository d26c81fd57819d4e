"""The stage of the tests: a licence on the stand-in Mattermost, and what a test needs around it.

`Stage` and `MirroredThread` run a worker's code in the test's own process. `DeployedStage` and
`DeployedThread` run the Procfile's processes, which a test may kill.
"""
