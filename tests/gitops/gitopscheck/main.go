// Gitopscheck answers as Argo CD and kstatus would, with their own code: health, actions, diffs and settings of the one,
// what the other computes. It reads a question a line on stdin and writes an answer a line on stdout, both JSON, so
// that one process serves hundreds of checks.
//
// Here is how it talks; what it knows is in argocd.go.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/sirupsen/logrus"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const longestLine = 16 << 20

// question has an op, and what that op needs.
type question struct {
	Op        string          `json:"op"`
	Object    json.RawMessage `json:"object"`
	Config    json.RawMessage `json:"config"`
	Overrides json.RawMessage `json:"overrides"`
	Action    string          `json:"action"`
	Path      string          `json:"path"`
	Namespace string          `json:"namespace"`
	Mode      string          `json:"mode"`
}

type answer struct {
	Answer any    `json:"answer,omitempty"`
	Error  string `json:"error,omitempty"`
}

func main() {
	logrus.SetOutput(io.Discard) // Argo CD's libraries tell there what they assume
	argo := newArgoCD(context.Background())
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, longestLine)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var said answer
		found, err := reply(argo, lines.Bytes())
		if err != nil {
			said.Error = err.Error()
		} else {
			said.Answer = found
		}
		if err := out.Encode(said); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func reply(argo *argoCD, line []byte) (any, error) {
	var asked question
	if err := json.Unmarshal(line, &asked); err != nil {
		return nil, err
	}
	switch asked.Op {
	case "customize":
		return argo.customize(asked.Overrides)
	case "connect":
		return argo.connect(asked.Path)
	case "settings":
		return argo.readSettings(asked.Namespace)
	}
	object, err := read(asked.Object)
	if err != nil {
		return nil, err
	}
	switch asked.Op {
	case "kstatus":
		return status.Compute(object)
	case "health":
		return argo.health(object)
	case "actions":
		return argo.actions(object)
	case "act":
		return argo.act(object, asked.Action)
	case "watched":
		return argo.watched(object)
	case "diff":
		config, err := read(asked.Config)
		if err != nil {
			return nil, err
		}
		return argo.diff(config, object, asked.Mode)
	}
	return nil, fmt.Errorf("there is no op %q", asked.Op)
}

// read makes an object as the API server's clients have it: whole numbers stay whole.
func read(raw json.RawMessage) (*unstructured.Unstructured, error) {
	object := &unstructured.Unstructured{}
	return object, object.UnmarshalJSON(raw)
}
