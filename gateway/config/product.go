package config

import (
	"embed"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/hub"
)

//go:embed products/*.toml
var builtIn embed.FS

// productFile is a product file as it is written.
type productFile struct {
	Name     string            `toml:"name"`
	TimeUnit string            `toml:"time_unit"` // seconds or minutes
	Interval time.Duration     `toml:"interval"`  // between statuses, as a rule
	Releases map[string]string `toml:"releases"`  // version index of a keyframe -> software version
	Timing   productTiming     `toml:"timing"`
	Fields   []productField    `toml:"field"`
}

// productTiming is how deltas write the times of statuses.
type productTiming struct {
	Order  int    `toml:"order"`
	Spread int    `toml:"spread"`
	Model  string `toml:"model"` // hexadecimal
}

type productField struct {
	ID       int    `toml:"id"`
	Name     string `toml:"name"`
	Unit     string `toml:"unit"`
	Scale    string `toml:"scale"` // decimal, "0.01" or "1e6"
	Min      string `toml:"min"`   // decimal, a multiple of scale
	Bits     int    `toml:"bits"`
	Optional bool   `toml:"optional"`
	Group    int    `toml:"group"`

	Predictor string `toml:"predictor"` // last, elapsed, trend, zero or along
	Order     int    `toml:"order"`
	Spread    int    `toml:"spread"`
	Model     string `toml:"model"`    // hexadecimal
	Deadband  string `toml:"deadband"` // decimal, a multiple of scale
}

// loadProducts reads the products that are built in, then those of products_dir, which may not have the name of another.
func (ps *problems) loadProducts(c *Config) {
	ps.productsIn(c, builtIn, "products", "(built in) ")
	if c.Gateway.ProductsDir == "" {
		return
	}
	if info, err := os.Stat(c.Gateway.ProductsDir); err != nil || !info.IsDir() {
		ps.add("gateway.products_dir", "it must be there and readable by the gateway's user", "%s is not a folder", c.Gateway.ProductsDir)
		return
	}
	ps.productsIn(c, os.DirFS(c.Gateway.ProductsDir), ".", c.Gateway.ProductsDir+string(filepath.Separator))
}

func (ps *problems) productsIn(c *Config, fsys fs.FS, dir, prefix string) {
	names, err := fs.Glob(fsys, path.Join(dir, "*.toml"))
	if err != nil {
		panic("config: " + err.Error()) // the pattern is ours
	}
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			ps.add("gateway.products_dir", "", "%v", err)
			continue
		}
		p, problems := ParseProduct(prefix+path.Base(name), string(text))
		ps.list = append(ps.list, problems...)
		if len(problems) > 0 {
			continue
		}
		if slices.ContainsFunc(c.Products, func(o hub.Product) bool { return o.Name == p.Name }) {
			ps.list = append(ps.list, Problem{File: prefix + path.Base(name), Key: "name", Text: fmt.Sprintf("product %q is there already", p.Name)})
			continue
		}
		c.Products = append(c.Products, p)
	}
}

func productNames(c *Config) string {
	names := make([]string, len(c.Products))
	for i := range c.Products {
		names[i] = c.Products[i].Name
	}
	return strings.Join(names, ", ")
}

// placesMax is how far the exponent of a decimal number may be from 0: as far as that of a scale.
const placesMax = 12

// parseDecimal reads a decimal number exactly, as in 0.01, -40 or 5e9.
func parseDecimal(s string) (codec.Decimal, error) {
	digits, power, scientific := strings.Cut(s, "e")
	whole, fraction, _ := strings.Cut(digits, ".")
	coef, err := strconv.ParseInt(whole+fraction, 10, 64)
	exp := int64(0)
	if err == nil && scientific {
		exp, err = strconv.ParseInt(power, 10, 8)
	}
	if exp -= int64(len(fraction)); err != nil || coef == math.MinInt64 || exp < -placesMax || exp > placesMax {
		return codec.Decimal{}, fmt.Errorf("%q is not a decimal number", s)
	}
	return codec.Decimal{Coef: coef, Exp: int8(exp)}, nil
}

// quotient is a/b, if it is whole and no number beyond all limits comes up on the way.
func quotient(a, b codec.Decimal) (int64, bool) {
	most := int64(math.MaxInt64 / 10)
	for x, y := &a, &b; a.Exp != b.Exp; x, y = y, x {
		for ; x.Exp > y.Exp; x.Exp, x.Coef = x.Exp-1, x.Coef*10 {
			if max(x.Coef, -x.Coef) > most {
				return 0, false
			}
		}
	}
	return a.Coef / b.Coef, a.Coef%b.Coef == 0
}

// BuiltIn is the product of that name which comes with the program.
func BuiltIn(name string) (hub.Product, error) {
	c, ps := &Config{}, &problems{lines: scanLines("")}
	ps.loadProducts(c)
	if err := ps.err(); err != nil {
		return hub.Product{}, err
	}
	for i := range c.Products {
		if c.Products[i].Name == name {
			return c.Products[i], nil
		}
	}
	return hub.Product{}, fmt.Errorf("there is no product %q: built in are %s", name, productNames(c))
}
