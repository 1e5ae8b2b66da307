package io.exactframe.examples.postgresql;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The PostgreSQL that is installed, running in a folder of its own until it is closed. */
final class LocalPostgres implements AutoCloseable {
    static final String USER = "demo";
    private static final String OWNER = "postgres"; // whose server it is when we are root, which PostgreSQL refuses
    private static final int START_SECONDS = 30;

    private final Path bin;
    private final Path folder;
    private final int port;

    private LocalPostgres(Path bin, Path folder, int port) {
        this.bin = bin;
        this.folder = folder;
        this.port = port;
    }

    int port() {
        return port;
    }

    /** Where a program of this PostgreSQL is. */
    Path program(String name) {
        return bin.resolve(name);
    }

    static LocalPostgres start() throws IOException, InterruptedException {
        Path bin = find();
        Path folder = Files.createTempDirectory("postgres");
        LocalPostgres server = new LocalPostgres(bin, folder, freePort());
        try {
            if (isRoot()) {
                run(List.of("chown", OWNER, folder.toString()));
            }
            String data = folder.resolve("data").toString();
            server.runAsOwner(
                    "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync");
            String options = "-h 127.0.0.1 -p " + server.port + " -k " + folder + " -c fsync=off -c max_connections=50";
            String log = folder.resolve("log").toString();
            server.runAsOwner("pg_ctl", "start", "-D", data, "-w", "-t", "" + START_SECONDS, "-l", log, "-o", options);
            return server;
        } catch (IOException | InterruptedException e) {
            server.close();
            throw e;
        }
    }

    /** The newest of those that are installed where packages put them, or the one that is on the path. */
    private static Path find() throws IOException {
        List<Path> found = new ArrayList<>();
        for (String parent : new String[] {"/usr/lib/postgresql", "/usr/local/lib/postgresql", "/opt/homebrew/opt"}) {
            if (Files.isDirectory(Path.of(parent))) {
                try (Stream<Path> versions = Files.list(Path.of(parent))) {
                    versions.map(version -> version.resolve("bin")).forEach(found::add);
                }
            }
        }
        found.sort(Comparator.comparing(Path::toString).reversed());
        for (String path : System.getenv().getOrDefault("PATH", "").split(":")) {
            found.add(Path.of(path));
        }
        return found.stream()
                .filter(bin -> Files.isExecutable(bin.resolve("initdb")))
                .findFirst()
                .orElseThrow(() -> new IOException("PostgreSQL is not installed: there is no initdb on the path nor in"
                        + " /usr/lib/postgresql/*/bin (on Debian: apt-get install postgresql)"));
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static boolean isRoot() throws IOException {
        return (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0;
    }

    private void runAsOwner(String program, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        if (isRoot()) {
            command.addAll(List.of("setpriv", "--reuid=" + OWNER, "--regid=" + OWNER, "--clear-groups"));
        }
        command.add(bin.resolve(program).toString());
        command.addAll(List.of(arguments));
        run(command);
    }

    private static void run(List<String> command) throws IOException, InterruptedException {
        Path output = Files.createTempFile("output", ".txt");
        try {
            Process process = new ProcessBuilder(command)
                    .directory(Path.of("/").toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            if (!process.waitFor(2 * START_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                process.destroy();
                throw new IOException(command + " failed: " + Files.readString(output).strip());
            }
        } finally {
            Files.delete(output);
        }
    }

    /** Stops at once, as its data goes too. */
    @Override
    public synchronized void close() throws IOException {
        if (!Files.exists(folder)) {
            return; // that was done
        }
        try {
            if (Files.exists(folder.resolve("data/postmaster.pid"))) {
                runAsOwner("pg_ctl", "stop", "-D", folder.resolve("data").toString(), "-m", "immediate");
            }
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
