package io.exactframe.netty.benchmark;

import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;

/** What the command line of {@link Benchmarks} asks for. */
final class Settings {
    final boolean quick;
    final List<String> arguments;
    final List<String> parts;
    private final List<String> patterns;

    /** All but the parts and patterns, which JMH would add to what a run includes. */
    final CommandLineOptions jmh;

    private Settings(List<String> arguments, Collection<String> allParts) throws CommandLineOptionException {
        this.arguments = arguments;
        quick = arguments.get(0).equals("quick");
        List<String> others = arguments.subList(1, arguments.size());
        List<String> words = new CommandLineOptions(others.toArray(String[]::new)).getIncludes();
        parts = words.stream().filter(allParts::contains).toList();
        patterns = words.stream().filter(word -> !allParts.contains(word)).toList();
        jmh = new CommandLineOptions(others.stream().filter(word -> !words.contains(word)).toArray(String[]::new));
    }

    /** Null if the arguments make no sense. */
    static Settings of(List<String> arguments, Collection<String> allParts) throws CommandLineOptionException {
        boolean makeSense = !arguments.isEmpty() && arguments.get(0).matches("quick|full");
        return makeSense ? new Settings(arguments, allParts) : null;
    }

    boolean isWanted(String name) {
        return patterns.isEmpty()
                || patterns.stream().anyMatch(pattern -> Pattern.compile(pattern).matcher(name).find());
    }

    boolean hasPatterns() {
        return !patterns.isEmpty();
    }

    /** The values of a parameter, as given with -p or else these. */
    List<String> parameter(String name, List<String> otherwise) {
        return List.copyOf(jmh.getParameter(name).orElse(otherwise));
    }

    /** How often all cases are measured, in turn. */
    int rounds(int ifQuick, int ifFull) {
        return jmh.getForkCount().orElse(quick ? ifQuick : ifFull);
    }

    /** What each JVM that measures is started with, beside what its part needs. */
    List<String> jvmArguments() {
        return List.copyOf(jmh.getJvmArgsPrepend().orElse(List.of()));
    }
}
