package verdict

var (
	Ln     = ln
	Exp    = exp
	Expect = new(quantiles).expect
)
