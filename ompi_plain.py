# does mpirun (Open MPI 4) hang by itself at SIGINT, with a program that isn't ours?
import subprocess,time,random,os,signal,sys
env=dict(os.environ,OMPI_ALLOW_RUN_AS_ROOT="1",OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1"); h=0; rcs={}
L={"om4":["mpirun.openmpi","--oversubscribe"],"mpich":["mpirun.mpich"]}[sys.argv[2]]
for k in range(int(sys.argv[1])):
    p=subprocess.Popen(L+["-np","4","/work/tmp/mpi/sig/hello"],env=env,stdout=subprocess.DEVNULL,stderr=subprocess.DEVNULL,start_new_session=True)
    time.sleep(random.uniform(.02,float(sys.argv[3]))); os.kill(p.pid,signal.SIGINT)
    try: r=p.wait(12)
    except subprocess.TimeoutExpired:
        h+=1; os.killpg(p.pid,9); p.wait(); r="HANG"; subprocess.run("pkill -9 -x hello",shell=True) if False else None
    rcs[r]=rcs.get(r,0)+1
print(rcs)
