// NetworkPolicies of the node: kube-network-policies' controller, which judges each new connection by the policies of both pods.
//
// Its own rules of nftables need the kernel's `nft_queue`, which few small kernels have, and it works on without them. The node
// sends new connections to the same queue by iptables, which every kernel with netfilter can (node/network.py).
package main

import (
	"context"
	"flag"
	"log"
	"os/signal"
	"syscall"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "file that names the cluster")
	node := flag.String("node", "", "name of this node")
	queue := flag.Int("queue", 100, "number of the netfilter queue that new connections come by")
	flag.Parse()

	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		log.Fatal(err)
	}
	stop, _ := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	factory := informers.NewSharedInformerFactory(client, 0)
	controller, err := networkpolicy.NewController(
		client,
		factory.Networking().V1().NetworkPolicies(),
		factory.Core().V1().Namespaces(),
		factory.Core().V1().Pods(),
		nil, nil, nil, nil,
		// Without NRI, which the runtime of the node has not, it reads addresses of pods from the API; the switch for that, NRIdisabled,
		// has it look into a plugin that is not there (v0.8.0).
		networkpolicy.Config{NodeName: *node, QueueID: *queue},
	)
	if err != nil {
		log.Fatal(err)
	}
	factory.Start(stop.Done())
	if err := controller.Run(stop); err != nil {
		log.Fatal(err)
	}
}
