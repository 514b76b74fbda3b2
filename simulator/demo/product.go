package demo

import (
	"fmt"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/config"
)

// ProductTemplate finds the template of a product that the gateway brings.
func ProductTemplate(name string) (*codec.Template, error) {
	p, err := config.BuiltIn(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	return p.Template, nil
}
