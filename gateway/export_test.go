package main

// Run is the program with its arguments and outputs.
var Run = run
