package verdict

var (
	Ln     = ln
	Exp    = exp
	Expect = expect
)
