package main

import (
	"context"
	"net/url"

	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/storage/wal"
)

// startEtcd gives an etcd that answers, and that is fast rather than safe: it must survive its process being killed,
// which it does without fsync, and no power cut.
func startEtcd(ctx context.Context, dir string) (*embed.Etcd, error) {
	// Every log file is written in full when it is made; tests need little of the usual 64 MB.
	wal.SegmentSizeBytes = 4 << 20
	config := embed.NewConfig()
	config.Dir = dir
	config.UnsafeNoFsync = true
	// Nobody else stands for election, so nothing is gained by waiting for them.
	config.TickMs, config.ElectionMs = 10, 50
	// The gateway for HTTP would dial port 0, as it is written below, and nobody needs it.
	config.EnableGRPCGateway = false
	config.LogLevel = "error"
	config.LogOutputs = []string{"stderr"}
	anyPort := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	config.ListenClientUrls, config.AdvertiseClientUrls = anyPort, anyPort
	config.ListenPeerUrls, config.AdvertisePeerUrls = anyPort, anyPort
	config.InitialCluster = config.InitialClusterFromName(config.Name)

	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, err
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, nil
	case err = <-etcd.Err():
	case <-ctx.Done():
		err = ctx.Err()
	}
	etcd.Close()
	return nil, err
}
