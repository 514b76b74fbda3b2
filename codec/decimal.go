package codec

import "strconv"

// AppendDecimal appends the exact value of raw steps of the field's scale as a JSON number.
func AppendDecimal(dst []byte, f *Field, raw int64) []byte {
	v := raw * f.Scale.Coef // the limits of a template keep this within 63 bits
	exp := int(f.Scale.Exp)
	if v == 0 || exp >= 0 {
		dst = strconv.AppendInt(dst, v, 10)
		if v != 0 {
			for range exp {
				dst = append(dst, '0')
			}
		}
		return dst
	}
	for exp < 0 && v%10 == 0 {
		v /= 10
		exp++
	}
	if exp == 0 {
		return strconv.AppendInt(dst, v, 10)
	}
	if v < 0 {
		dst = append(dst, '-')
		v = -v
	}
	var buf [24]byte
	digits := strconv.AppendInt(buf[:0], v, 10)
	point := len(digits) + exp // digits before the point
	if point <= 0 {
		dst = append(dst, '0', '.')
		for range -point {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	}
	dst = append(dst, digits[:point]...)
	dst = append(dst, '.')
	return append(dst, digits[point:]...)
}
