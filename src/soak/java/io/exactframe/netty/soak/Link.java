package io.exactframe.netty.soak;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The bad link of link.py: who connects from {@link #near} to {@link #far} reaches what listens on near. */
final class Link {
    private final Process process;
    private final Writer commands;
    private final BufferedReader answers;

    Link(long seed) throws IOException {
        process = new ProcessBuilder("python3", "src/soak/link.py", Long.toString(seed))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        commands = new OutputStreamWriter(process.getOutputStream());
        answers = new BufferedReader(new InputStreamReader(process.getInputStream()));
        if (!"ready".equals(answers.readLine())) {
            throw new IOException("no link: see above");
        }
    }

    private static InetSocketAddress address(int last, int port) {
        try {
            return new InetSocketAddress(InetAddress.getByAddress(new byte[] {10, 99, 0, (byte) last}), port);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static InetSocketAddress near() {
        return address(1, 0);
    }

    static InetSocketAddress far(int port) {
        return address(2, port);
    }

    private synchronized void command(String line) {
        try {
            commands.write(line + '\n');
            commands.flush();
        } catch (IOException e) {
            throw new UncheckedIOException("the link is gone", e);
        }
    }

    /** Another kind of weather: 1 to 5 % lost, up to 2 % twice, 5 to 50 ms late, some much later than others. */
    String change(Random random) {
        int loss = 10_000 + random.nextInt(40_001);
        int twice = random.nextInt(20_001);
        int delay = 5_000 + random.nextInt(25_001);
        int jitter = random.nextInt(20_001);
        command("link " + loss + ' ' + twice + ' ' + delay + ' ' + jitter);
        return loss / 10_000 + " % lost, " + delay / 1000 + " to " + (delay + jitter) / 1000 + " ms";
    }

    /** No packet of the connection that has this port on the client's side comes through any more. */
    void down(int port) {
        command("down " + port);
    }

    void up(int port) {
        command("up " + port);
    }

    /** The device, for everybody. */
    void off() {
        command("off");
    }

    void on() {
        command("on");
    }

    synchronized String figures() throws IOException {
        command("figures");
        return answers.readLine();
    }

    /** Segments that TCP has sent again, in this network namespace. */
    static String repeated() throws IOException {
        List<String[]> tcp = Files.readAllLines(Path.of("/proc/self/net/snmp")).stream()
                .filter(line -> line.startsWith("Tcp:"))
                .map(line -> line.split(" "))
                .toList();
        return tcp.get(1)[Arrays.asList(tcp.get(0)).indexOf("RetransSegs")];
    }

    /** Whether the reader's kernel has nothing unread from the client with this port, or only what has just come. */
    static boolean isSilent(int port) {
        String peer = String.format("0200630A:%04X", port); // far's, as the kernel writes it
        try {
            boolean unread = Files.readAllLines(Path.of("/proc/self/net/tcp")).stream()
                    .map(line -> line.trim().split(" +"))
                    .anyMatch(socket -> socket[2].equals(peer) && !socket[4].endsWith(":00000000"));
            if (!unread) {
                return true;
            }
            long asked = System.nanoTime();
            Process ss = new ProcessBuilder("ss", "-tnHi", "dst", "10.99.0.2:" + port).start();
            String answer = new String(ss.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            Matcher silence = Pattern.compile("lastrcv:(\\d+)").matcher(answer);
            long answered = (System.nanoTime() - asked) / 1_000_000;
            return !silence.find() || Integer.parseInt(silence.group(1)) - answered < 1000; // ms, and no stall is as short
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void close() throws IOException, InterruptedException {
        commands.close();
        Verdict.check(process.waitFor() == 0, "the link's program failed", process.exitValue());
    }
}
