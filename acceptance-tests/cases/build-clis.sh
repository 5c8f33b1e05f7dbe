#!/bin/sh
# Builds newer CLIs into the cache folder, where the tests find and use them.
# usage: build-clis.sh [terraform-1.16.4 | tofu-1.12.6 …]; without arguments both of these.
# Needs Go 1.26 or newer, some minutes and about 3 GB of space for Go's own caches.
set -eu

cache=${TERRAFORM_PROVIDER_EKS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/terraform-provider-eks}
export GOTOOLCHAIN=local GOFLAGS=-buildvcs=false
mkdir -p "$cache/bin"

# The module of a version, as a work folder's only requirement. Prints the path of its go.mod.
module_file() {
	go mod download -json "$1@$2" | sed -n 's/.*"GoMod": "\(.*\)",/\1/p'
}

# OpenTofu's replacements do not reach a module that requires it, so they are said again.
build_tofu() {
	version=$1 output=$2 module=github.com/opentofu/opentofu
	file=$(module_file "$module" "$version")
	{
		printf 'module tofu-build\n\n%s\n\n' "$(grep '^go ' "$file")"
		printf 'require %s %s\n\n' "$module" "$version"
		grep '^replace ' "$file"
	} >go.mod
	go build -mod=mod -trimpath -ldflags "-s -w -X $module/version.dev=no" -o "$output" "$module/cmd/tofu"
}

# Terraform's module leaves out its nested modules (nine state backends and internal/legacy), and they are
# published under no version. Stubs take their place: the local, remote, cloud, http and inmem backends work.
build_terraform() {
	version=$1 output=$2 module=github.com/hashicorp/terraform
	go_line=$(grep '^go ' "$(module_file "$module" "$version")")
	backends='azure consul cos gcs kubernetes oci oss pg s3'
	{
		printf 'module terraform-build\n\n%s\n\nrequire %s %s\n\n' "$go_line" "$module" "$version"
		for name in $backends; do
			printf 'replace %s/internal/backend/remote-state/%s => ./stub/%s\n' "$module" "$name" "$name"
		done
		printf 'replace %s/internal/legacy => ./stub/legacy\n' "$module"
	} >go.mod
	for name in $backends; do
		mkdir -p "stub/$name"
		printf 'module %s/internal/backend/remote-state/%s\n\n%s\n' "$module" "$name" "$go_line" >"stub/$name/go.mod"
		cat >"stub/$name/backend.go" <<-END
			package $name

			import "$module/internal/backend"

			// New stands in for the $name backend, which this build leaves out.
			func New() backend.Backend { panic("this build has no $name backend") }
		END
	done
	mkdir -p stub/legacy
	printf 'module %s/internal/legacy\n\n%s\n' "$module" "$go_line" >stub/legacy/go.mod
	go build -mod=mod -trimpath -ldflags "-s -w -X $module/version.dev=no" -o "$output" "$module"
}

[ $# -gt 0 ] || set -- terraform-1.16.4 tofu-1.12.6
for name in "$@"; do
	if [ -x "$cache/bin/$name" ]; then
		echo "$cache/bin/$name is there already"
		continue
	fi
	work=$(mktemp -d)
	(
		trap 'rm -rf "$work"' EXIT
		cd "$work"
		case $name in
		terraform-*) build_terraform "v${name#terraform-}" "$work/built" ;;
		tofu-*) build_tofu "v${name#tofu-}" "$work/built" ;;
		*) echo "$name is neither terraform-VERSION nor tofu-VERSION" >&2 && exit 1 ;;
		esac
		mv "$work/built" "$cache/bin/$name"
	)
	echo "$cache/bin/$name"
done
