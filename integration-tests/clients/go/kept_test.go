package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	kfp "example.com/submit/gen/backend/api/v2beta1"
)

// What one tenant has made is nobody else's: not by its id, and not by its namespace.
func TestTenantsAreKeptApart(t *testing.T) {
	nobody, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	jane, john := caller(t, nobody, "KF_PIPELINES_SA_TOKEN_PATH"), caller(t, nobody, "OTHER_TOKEN_PATH")
	clients, err := Dial(strings.TrimPrefix(os.Getenv("KFP_HOST"), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	namespace := os.Getenv("KFP_NAMESPACE")
	run, err := clients.Submit(jane, namespace, os.Getenv("PIPELINES")+"/words.yaml", `{"how_many": 4, "expected": 6}`)
	if err != nil || run.GetState() != kfp.RuntimeState_SUCCEEDED {
		t.Fatal(run, err)
	}

	calls := []struct {
		name    string
		refusal codes.Code
		call    func(context.Context) error
	}{
		{"GetExperiment", codes.NotFound, func(ctx context.Context) error {
			_, err := clients.Experiments.GetExperiment(ctx, &kfp.GetExperimentRequest{ExperimentId: run.GetExperimentId()})
			return err
		}},
		{"GetPipeline", codes.NotFound, func(ctx context.Context) error {
			id := run.GetPipelineVersionReference().GetPipelineId()
			_, err := clients.Pipelines.GetPipeline(ctx, &kfp.GetPipelineRequest{PipelineId: id})
			return err
		}},
		{"GetRun", codes.NotFound, func(ctx context.Context) error {
			_, err := clients.Runs.GetRun(ctx, &kfp.GetRunRequest{RunId: run.GetRunId()})
			return err
		}},
		{"ReadLog", codes.NotFound, func(ctx context.Context) error {
			var log bytes.Buffer
			if err := clients.Log(ctx, &log, run.GetRunId(), "write-words"); err != nil {
				return err
			}
			if log.Len() == 0 {
				return errors.New("the log is empty")
			}
			return nil
		}},
		{"ListRuns", codes.PermissionDenied, func(ctx context.Context) error {
			_, err := clients.Named(ctx, namespace, run.GetDisplayName())
			return err
		}},
		{"CreateExperiment", codes.PermissionDenied, func(ctx context.Context) error {
			wanted := &kfp.Experiment{DisplayName: t.Name(), Namespace: namespace}
			_, err := clients.Experiments.CreateExperiment(ctx, &kfp.CreateExperimentRequest{Experiment: wanted})
			return err
		}},
		// The last one: it is Jane's to do.
		{"DeleteRun", codes.NotFound, func(ctx context.Context) error {
			_, err := clients.Runs.DeleteRun(ctx, &kfp.DeleteRunRequest{RunId: run.GetRunId()})
			return err
		}},
	}
	for _, c := range calls {
		if code := status.Code(c.call(john)); code != c.refusal {
			t.Errorf("%s is %s for another tenant", c.name, code)
		}
		if code := status.Code(c.call(nobody)); code != codes.Unauthenticated {
			t.Errorf("%s is %s for nobody", c.name, code)
		}
		if err := c.call(jane); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func caller(t *testing.T, ctx context.Context, variable string) context.Context {
	with, err := WithToken(ctx, os.Getenv(variable))
	if err != nil {
		t.Fatal(err)
	}
	return with
}
